"""Flags for a person: what to look at beside a mark, and why. No flag changes a mark.

:mod:`suspicion` reads what one submission does that course code does not (:mod:`rules`, and what
its :mod:`names` stand for); :mod:`similarity` compares the solutions of a class by their
:mod:`fingerprints`, and :mod:`classmates` keeps what was found. :mod:`tito.pages.evidence` writes the
page that lists everything.
"""
