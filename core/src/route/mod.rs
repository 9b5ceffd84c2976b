//! Path finding.
