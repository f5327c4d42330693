"""keyguard keeps model-API keys out of the code, and model-API calls from failing, before the commit."""

__version__ = "0.1.0"
