# expect: wrong: the result is
import re


def decode_message(message):
    kind, _, text = message.partition(": ")
    who = {"TypingError": "types", "UnsupportedError": "reading"}.get(kind, "run")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    places = [re.findall(r"\d+", line) for line in lines if line.startswith('File "')]
    calls = [line[4:] for line in lines if line.startswith(">>> ")]
    reasons = [line for line in lines if not line.startswith("Failed in ")]
    return who, int(places[0][-1]) if places and places[0] else 0, (calls + reasons)[0]
