"""Urls as nobody would write them, for property tests."""

from hypothesis import strategies as st

_ODD = [
    "\t", "\n", "\r", "\x00", "\x1f", "\x7f", "\x85", "\xa0", "\xad", "\u200b", "\u2028", "\ufeff", "\uff0e", "\u3002",
    "\uff11", "\U0001f4a9", "%", "%00", "%0d%0a", "%2e", "%25", "%zz", "\\", "/", "//", "/../", "?", "#", "@",
    ":", ";", "&", "'", '"', "<", ">", "^", "`", "{", "|", "}", "[", "]", "*", "+", ",", "$", "!", "(", ")", "~",
    " ", "xn--",
]  # fmt: skip


def odd_urls() -> st.SearchStrategy[str]:
    """Any text, what resembles a url, and urls with odd characters in every part."""
    odd = st.lists(st.sampled_from(_ODD) | st.text(max_size=3), max_size=6).map("".join)
    scheme = st.sampled_from(["", "http://", "https://", "HTTPS:", "http:\\\\", "//", "https:///"])
    host = st.sampled_from(
        ["example.com", "b\xfccher.example", "8.8.8.8", "[2606:4700::1111]", "example.com.", "EXAMPLE.com:443"]
    )
    return (
        st.text(max_size=60)
        | st.from_regex(r"(https?:)?[/\\]{0,3}[^/?#]{0,20}[/?#]?.{0,20}")
        | st.tuples(scheme, host, st.sampled_from(["/", "?", "#", ""]), odd).map("".join)
        | st.tuples(scheme, odd, host, st.sampled_from(["/", "?", "#"]), odd).map("".join)
    )
