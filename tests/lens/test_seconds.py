"""The benchmark of the instruments runs, and the instruments say there what they should."""

from tests.peers import agrees_with_every_peer


def test_the_instruments_answer_in_their_benchmark():
    agrees_with_every_peer("lens")
