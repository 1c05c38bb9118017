"""What decides on the graded cells of a course: their parts, judged apart, or their assertions."""

from typing import Literal

JudgedBy = Literal["parts", "asserts"]
