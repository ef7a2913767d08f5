"""The console: pages, and an API of JSON, that show what the engine did (docs/console.md)."""
