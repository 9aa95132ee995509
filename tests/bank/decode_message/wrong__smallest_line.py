# expect: wrong: the result is 4, expected 9
def decode_message(message):
    kind, _, text = message.partition(": ")
    who = {"TypingError": "types", "UnsupportedError": "reading"}.get(kind, "run")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    places = [line for line in lines if line.startswith('File "yours.py"')]
    calls = [line[4:] for line in lines if line.startswith(">>> ")]
    reasons = [line for line in lines if not line.startswith("Failed in ")]
    numbers = [int(place.split()[-1].rstrip(":")) for place in places]
    return who, min(numbers, default=0), (calls + reasons)[0]
