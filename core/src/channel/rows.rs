//! stub
use super::Commitments;
use crate::types::CommitmentNumber;
/// x
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowName { /// x
Revoked(CommitmentNumber) }
/// x
#[derive(Debug)]
pub struct RevokedHtlc;
/// x
#[derive(Debug)]
pub struct RowError;
pub(super) fn revoked_row(_c: &Commitments) -> Option<Vec<u8>> { None }
/// x
pub fn read_revoked_row() {}
