"""`tito doctor`: what is missing on the machine, and the command that fixes it."""

from __future__ import annotations

import sys

import click

from tito import doctor
from tito.commands._shared import print_line
from tito.course import Course


@click.command("doctor")
def command() -> None:
    """Check the machine and the course; say what is wrong and how to fix it."""
    findings = doctor.examine(Course.find())
    for finding in findings:
        print_line(f"{'ok' if finding.ok else 'no':<3} {finding.what}")
        if not finding.ok:
            print_line(f"      fix: {finding.remedy}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)
