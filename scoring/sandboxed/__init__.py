"""Runs beside hostile code: loads one entry and measures it or predicts with it.

Started as `python -m scoring.sandboxed`, imported by nobody. Everything that leaves this process
(reply, outputs, log) is hostile to the parent, because the entry runs in here: where a line makes
a trick harder, a comment names the trick, but no line here is the defence. The defences are the
sandbox around this process, the counts that ran nobody's code and the processor time measured
from outside.
"""
