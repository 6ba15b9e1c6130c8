"""What /robots.txt tells crawlers (RFC 9309)."""

PREVIEWERS = (
    "Discordbot",
    "Embedly",
    "facebookexternalhit",
    "Facebot",
    "Iframely",
    "LinkedInBot",
    "Mastodon",
    "Pinterestbot",
    "redditbot",
    "SkypeUriPreview",
    "Slackbot",
    "Slackbot-LinkExpanding",
    "TelegramBot",
    "Twitterbot",
    "vkShare",
    "WhatsApp",
)
"""Robots of chats and social networks, which show what a link leads to where somebody has posted it."""

ROBOTS = "".join(f"User-agent: {name}\n" for name in PREVIEWERS) + "Allow: /\n\nUser-agent: *\nDisallow: /\n"
"""Previews are made; all others stay away, since they find nothing to index. Those that come are counted as robots."""
