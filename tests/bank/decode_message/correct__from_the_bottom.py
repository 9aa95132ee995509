# expect: correct
WHO = {"TypingError": "types", "UnsupportedError": "reading"}


def decode_message(message):
    kind, _, text = message.partition(": ")
    line, reason = 0, ""
    rows = [row.strip() for row in text.splitlines()]
    for row in reversed(rows):
        if 'File "yours.py"' in row:
            line = int(row.split("line ")[1].strip(":"))
        if row and not row.startswith("Failed in"):
            reason = row
    for row in reversed(rows):
        if row.startswith(">>>"):
            reason = row.removeprefix(">>> ")
    return (WHO.get(kind, "run"), line, reason)
