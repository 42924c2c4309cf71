"""musrec's library: sound becomes numbers, numbers become answers, answers become tags."""
