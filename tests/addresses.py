"""A visitor's addresses, in every header in which a browser's, a proxy's or a CDN's request may carry them."""

ADDRESSES = ("203.0.113.77", "2001:db8::77")
"""Nobody's: RFC 5737 and RFC 3849."""

HEADERS = {
    **dict.fromkeys(
        (
            "X-Forwarded-For",
            "X-Real-IP",
            "X-Client-IP",
            "X-Cluster-Client-IP",
            "X-Original-Forwarded-For",
            "True-Client-IP",
            "CF-Connecting-IP",
            "CF-Connecting-IPv6",
            "CF-Pseudo-IPv4",
            "Fastly-Client-IP",
            "CloudFront-Viewer-Address",
            "Client-IP",
            "Via",
        ),
        ", ".join(ADDRESSES),
    ),
    "Forwarded": ", ".join(f'for="[{address}]:4711"' for address in ADDRESSES),
    "Referer": f"https://{ADDRESSES[0]}@news.example/?from={ADDRESSES[1]}",
    "User-Agent": "Browser/1.0",
}
