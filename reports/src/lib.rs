//! Summaries, tables and figures drawn out of a finished quotree run.
