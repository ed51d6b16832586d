"""The door: OTLP over HTTP and gRPC, and posted feedback, on loopback unless told otherwise.

A batch is checked to parse, spooled as it came, and acknowledged when it is durable. Nothing is
decoded further, indexed or stored elsewhere here: `sources/` lands what was spooled.
"""
