"""nbgrader's configuration: the gradebook, the steps of a release, the limits of grading.

`tito` reads it, and so do `nbgrader` and formgrader when they are started in this folder. The
folders stand here for these; `tito` has them from `tito/course/course.py`, and both must agree.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821 - given by nbgrader
root = Path(__file__).resolve().parent

# nbgrader calls alembic by name when it makes a gradebook; it stands beside this Python.
programs = str(Path(sys.executable).parent)
if programs not in os.environ["PATH"].split(os.pathsep):
    os.environ["PATH"] = programs + os.pathsep + os.environ["PATH"]

# Folders. No percent source lies below build/notebooks, since nbgrader copies whatever stands
# beside a notebook to students.
c.CourseDirectory.course_id = "tinytorch-optimizers"
c.CourseDirectory.root = str(root)
c.CourseDirectory.source_directory = "build/notebooks"
c.CourseDirectory.release_directory = "modules/release"
c.CourseDirectory.submitted_directory = "modules/submitted"
c.CourseDirectory.autograded_directory = "modules/autograded"
c.CourseDirectory.feedback_directory = "modules/feedback"
c.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.py"]

# Release.
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.LockCells",
    "tito.authoring.release.ClearTodoSolutions",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.ClearSolutions.text_stub = "Write your answer here."
# Rubrics stand in locked markdown cells, which are not nbgrader's tasks.
c.ClearMarkScheme.enforce_metadata = False

# Grading: 'nbgrader autograde' and formgrader grade by the function that 'tito grade' calls.
c.Autograde.exporter_class = "tito.autograde.nbgrader_adapter.SubmissionExporter"
c.Autograde.pre_convert_hook = "tito.autograde.nbgrader_adapter.expect_released_name"
c.Autograde.sanitize_preprocessors = ["tito.autograde.nbgrader_adapter.GradeSubmission"]
c.Autograde.autograde_preprocessors = []
c.ExecuteSubmission.timeout = 30  # seconds of processor time for a cell
c.ExecuteSubmission.submission_timeout = 300  # seconds of processor time for a notebook
c.ExecuteSubmission.patience = 4  # so many times as long by the clock
c.ExecuteSubmission.isolation = "full"  # the weakest that is accepted; see 'tito doctor'
c.ExecuteSubmission.secret_folders = [str(root), str(root / "modules" / "submitted")]
c.ExecuteSubmission.fonts = str(root / "build" / "fonts")

# Lateness, counted from the due date in the gradebook; without one nothing is late.
c.AssignLatePenalties.plugin_class = "tito.course.lateness.LatePolicy"
c.LatePolicy.percent_per_day = 10  # of the points earned, for each day begun
c.LatePolicy.grace_minutes = 15
c.LatePolicy.max_percent = 50
c.LatePolicy.last_day = 7  # later, a submission earns nothing
c.ExportApp.plugin_class = "tito.gradebook.penalties.CurrentCsvExport"
# By whose clock days are counted, and times without a zone are read: a name such as Europe/Berlin.
c.Exchange.timezone = "UTC"

# Feedback, and the pages that formgrader shows: what a student wrote is not trusted there.
c.GenerateFeedback.exporter_class = "tito.pages.feedback.FeedbackExporter"
c.GenerateFeedback.preprocessors = []
# Outputs can have any shape, until the last of the preprocessors has put them in order.
c.HTMLExporter.optimistic_validation = True
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.preprocessors = ["tito.pages.formgrader.ForGraders"]
c.HTMLExporter.filters = {
    "clean_html": "tito.pages.formgrader.clean_html",
    "highlight_code": "tito.pages.formgrader.highlight_code",
    "markdown2html": "tito.pages.formgrader.markdown2html",
    # Its own mends links of old notebooks, in time that grows with the square of a line.
    "strip_files_prefix": "markupsafe.soft_str",
}
