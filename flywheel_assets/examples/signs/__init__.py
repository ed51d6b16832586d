"""What a span shows of the kind of error it made, one sign a file: no model is asked, and no number is fitted.

The kinds are those of TRAIL (Deshpande et al. 2025, arXiv 2505.08638). A sign names what can be seen; which
span a run failed by is for `credit.py`. Add one by adding a file with a `SIGN`.
"""
