"""Lists of tracks, as files that players read and as the queue of MPD."""
