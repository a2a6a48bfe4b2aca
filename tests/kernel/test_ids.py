"""Identifiers: the same fact has the same id everywhere, other facts have others."""

from mingcha.kernel import errors, ids


class TestFindingId:
    def test_is_stable_across_machines(self) -> None:
        made = ids.finding_id(rule_id="MET-001", subject_kind="point", subject_id="P1", episode_key="2026-03")
        assert made == "F6425debc00f32b9a"

    def test_differs_with_each_part(self) -> None:
        base = {"rule_id": "MET-001", "subject_kind": "point", "subject_id": "P1", "episode_key": "2026-03"}
        made = {ids.finding_id(**base)} | {ids.finding_id(**{**base, key: "x"}) for key in base}
        assert len(made) == 5

    def test_cannot_be_confused_by_where_one_part_ends(self) -> None:
        one = ids.finding_id(rule_id="A", subject_kind="b", subject_id="c1", episode_key="2")
        two = ids.finding_id(rule_id="A", subject_kind="b", subject_id="c", episode_key="12")
        assert one != two


def test_digest_ignores_the_order_of_keys() -> None:
    assert ids.digest({"a": 1, "b": [2]}) == ids.digest({"b": [2], "a": 1})


def test_an_error_tells_three_things() -> None:
    text = str(errors.DataError("row 3 is short", why="it holds money", mend="complete it"))
    assert text.splitlines()[0] == "row 3 is short"
    assert "Why it matters: it holds money" in text
    assert "How to put it right: complete it" in text
