//! The node: routes inputs, owns every part, and is the only place that emits outputs.
