//! What is stored, under which key, in which version.
