"""`vae.report` and `laten report`: what is known of a fitted model, in one page for people and in JSON for programs.

It computes by `answers/` and `synthetic/`, draws by `plots/`, and judges by the rules in `findings.py`. No questions of
its own, and nothing of the web beyond one file.
"""
