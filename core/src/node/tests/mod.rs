//! Two nodes, a chain and two disks in one process: the node from the outside.

mod asleep;
mod broadcasts;
mod costs;
mod exempt;
mod flows;
mod hints;
mod old_stores;
mod old_tip;
mod parts;
mod unexplained;
mod unreadable;
mod waits;
mod world;
