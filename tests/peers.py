"""A kernel beside every peer of its benchmark, at toy sizes.

Asked for by the tests of each kernel, whose process has compiled it already.
"""

from numba_course.authoring import bench


def agrees_with_every_peer(kernel):
    """Run the cases of a kernel's benchmark; fail where results differ or two cases are called alike."""
    harness = bench.harness()
    results = [
        result for case in harness.cases(kernel, toy=True) for result in harness.measure(case, toy=True)
    ]
    assert {result.kernel for result in results} == {kernel}
    assert [f"{r.case}, {r.peer}: {r.trouble}" for r in results if r.trouble] == []
    places = [(result.case, result.threads, result.peer) for result in results]
    assert len(places) == len(set(places)), "two cases are called alike"
