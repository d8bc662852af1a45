"""What the fault simulator found on its way to 100,000 schedules, played again."""

from __future__ import annotations

from collections import Counter

from bench.sync_faults import play, prepared

FOUND = {
    622992: "a recording the journal had no room for waited for the next start",
    626891: "what a copy had sent first and was refused was shown as applied",
    628930: "an appeal a copy had returned stood there twice beside a call of its old number",
    # The simulator's own: it ended before the desk that was killed had looked at its recordings again.
    646722: "a recording that a kill kept from the journal",
    657448: "an appeal a copy had returned stood there twice when it came under its own id again",
    699504: "a desk whose copy was quicker at a server older than their fork sent nothing any more",
}


def test_what_was_found_is_found_no_more() -> None:
    with prepared() as template:
        again = {seed: play(seed, template).wrong for seed in FOUND}
    assert again == {seed: Counter() for seed in FOUND}
