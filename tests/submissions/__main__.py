"""Hand in the sample classes: `python -m tests.submissions COURSE_FOLDER MODULE...`."""

import sys
from pathlib import Path

from tests.submissions.hand_in import hand_in
from tito.course import Course

if __name__ == "__main__":
    folder, *modules = sys.argv[1:]
    course = Course(Path(folder).resolve())
    for module in modules:
        folders = hand_in(course, course.module(module))
        print(f"{module}: collected {len(folders)} submissions in {course.submitted}/")
