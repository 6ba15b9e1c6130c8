"""Texts that are made to keep a regular expression busy."""

USER_AGENTS = [
    part * (512 // len(part)) + end
    for part in [
        "a", "1", " ", "a ", "a.", "1.", "/1", "/1.1", "a/", "a/1.0", "a/1 ", "((", "()", "(a", ";", "; ", "; a",
        "; a;", "@a", "@a-", "-", "_", "%", "\\", "|a", ".com", "Mozilla/5.0 (", "Mozilla/5.0 (a/1.1 ",
        "Linux; Android 1.1; ", "Version/1.1 ", "Chrome/1.1.1.1 ", "Mobile Safari/1.1 ", "CFNetwork/1 ",
        "iPhone OS 1_1_", "Opera/9.8 (", "rv:1", "Windows NT 1", "compatible; ", "x-", "é", "\U0001f4a9", "bo",
        "googl", "google/", "new", "searc", "htt", "scanca",
    ]
    for end in ("", "!", "/", "\n")
]  # fmt: skip
"""Repetitions, each with an end on which what has matched so far fails."""
