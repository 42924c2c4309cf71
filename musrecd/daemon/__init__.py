"""The one that stays awake: it watches folders, lets workers hear what is new, and keeps the library in order."""
