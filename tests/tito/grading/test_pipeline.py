from tinytorch.tito.grading import pipeline, scores


def test_a_right_submission_earns_the_points_of_its_cells(course, module, hand_in):
    hand_in("ada")
    run = pipeline.grade(course, module)
    assert [(o.student, o.status, o.reason) for o in run.outcomes] == [("ada", "graded", "")]
    (row,) = scores.table(course, module)
    assert row.points == {"test-double": 4.0, "test-triple": 6.0, "question-1": 0.0}
    assert row.total == 10.0
