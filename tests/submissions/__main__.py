"""Hand in the sample class: `python -m tests.submissions COURSE_FOLDER MODULE`."""

import sys
from pathlib import Path

from tests.submissions.hand_in import hand_in
from tito.course import Course

if __name__ == "__main__":
    folder, module = sys.argv[1:]
    course = Course(Path(folder).resolve())
    folders = hand_in(course, course.module(module))
    print(f"collected {len(folders)} submissions in {course.submitted}/")
