"""The page for boards without a screen: aiohttp, one WebSocket for numbers, MJPEG for the picture."""
