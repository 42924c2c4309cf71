"""Goals are compared with the right figures: the best single teacher, the pair, the teacher that leaves least."""

from model_training.evaluation.goals import compare_with_goals


def figures(value: float) -> dict:
    return {"clips": 10, "p@1": (value, 0, 1), "p@10": (value, 0, 1), "mAP": (value, 0, 1), "probe": (value, 0, 1)}


TABLES = {
    "similarity": {
        "musrec": figures(0.7),
        "mfcc": figures(0.9),
        "crnn_msd": figures(0.5),
        "musicnn_msd": figures(0.6),
        "fcn_msd + musicnn_msd": figures(0.75),
        "all teachers": figures(0.8),
    },
    "similarity gained over": {
        "mfcc": figures(-0.2),
        "crnn_msd": figures(0.2),
        "musicnn_msd": figures(0.1),
        "fcn_msd + musicnn_msd": figures(-0.05),
        "all teachers": figures(-0.1),
    },
    "labels, ROC-AUC": {
        "musrec": {"labels": 9, "its own": (0.9, 0, 1)},
        "fcn_msd": {"labels": 5, "its own": (0.9, 0, 1), "gain": (0.01, -0.1, 0.1)},
        "fcn_mtat": {"labels": 4, "its own": (0.8, 0, 1), "gain": (0.1, 0.0, 0.2)},
        "all teachers": {"labels": 7, "its own": (0.9, 0, 1), "gain": (-0.01, -0.1, 0.1)},
    },
    "cost": {"musrec": {"front-end and network, CPU s": 0.3, "weights, MB": 3.5, "import and load, s": 2.5}},
}


def test_the_best_single_teacher_is_no_pair_and_not_hand_made():
    goals = compare_with_goals(TABLES)
    row = goals["p@1, gain over the best single teacher (musicnn_msd)"]
    assert row == {"goal": "> 0", "measured": (0.1, 0, 1), "reached": "yes, not certainly"}
    assert goals["mAP, gain over fcn_msd + musicnn_msd"]["reached"] == "no"


def test_the_best_teacher_of_labels_is_the_one_over_which_least_is_gained():
    row = compare_with_goals(TABLES)["genre labels, ROC-AUC, gain over the best teacher (fcn_msd)"]
    assert row["reached"] == "yes, not certainly"


def test_costs_have_limits():
    goals = compare_with_goals(TABLES)
    assert goals["CPU s beyond decoding"] == {"goal": "≤ 0.2", "measured": 0.3, "reached": "no"}
    assert goals["weights, MB"]["reached"] == goals["import and load, s"]["reached"] == "yes"


def test_a_goal_is_certain_if_the_interval_is_on_its_side():
    moods = {"musrec": {"fitted within": (0.75, 0.71, 0.8)}}
    assert compare_with_goals({"moods": moods})["quadrant of moods, probe"]["reached"] == "yes"
    calibration = {"all genres": {"calibration error": (0.04, 0.03, 0.06)}}
    goals = compare_with_goals({"calibration": calibration})
    assert goals["calibration error of genres"]["reached"] == "yes, not certainly"


def test_what_was_not_measured_is_no_goal():
    assert compare_with_goals({}) == {}
    assert not any("moods" in name for name in compare_with_goals(TABLES))
