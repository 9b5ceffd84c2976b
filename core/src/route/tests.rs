//! Tests of path finding.
