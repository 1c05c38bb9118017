"""Hand in the sample class: `python -m tests.submissions [MODULE]` in the course's folder."""

import sys

from tests.submissions.hand_in import hand_in
from tinytorch.tito.course import Course

if __name__ == "__main__":
    course = Course.find()
    folders = hand_in(course, course.module(sys.argv[1] if sys.argv[1:] else "08_optimizers"))
    print(f"collected {len(folders)} submissions in {course.submitted.relative_to(course.root)}/")
