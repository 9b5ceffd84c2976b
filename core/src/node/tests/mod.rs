//! Two nodes, a chain and two disks in one process: the node from the outside.

mod costs;
mod flows;
mod world;
