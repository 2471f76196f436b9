"""Mutate rooms and say what survives: ``python -m tests.mutants [ROOM …]``."""

import sys

from tests.mutants.explained import as_entry, compare, explanations
from tests.mutants.mutants import mutate
from tests.mutants.rooms import ROOMS


def main(rooms: list[str]) -> int:
    unknown = set(rooms) - ROOMS.keys()
    if unknown:
        sys.exit(f"No room of {', '.join(ROOMS)}: {', '.join(sorted(unknown))}")
    is_well = [_mutate(room) for room in rooms or ROOMS]
    return 0 if all(is_well) else 1


def _mutate(room: str) -> bool:
    """Print the figures of the room and what is wrong; tell whether all is explained."""
    mutants, without_result, survivors = mutate(room)
    unexplained, needless = compare(survivors, explanations(room))
    killed, explained = mutants - len(survivors), len(survivors) - len(unexplained)
    print(f"{room}: {mutants} mutants, {killed} killed, {explained} explained", flush=True)
    for name in without_result:
        print(f"Killed without a test that failed, by its limit or by itself: {name}")
    for survivor in unexplained:
        print(f"\nA survivor that nothing explains:\n{as_entry(survivor)}")
    for explanation in needless:
        print(f"\nAn explanation that no survivor needs:\n{explanation}")
    return not unexplained and not needless


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
