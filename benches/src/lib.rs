//! Benchmarks of cardroot beside its peers.
