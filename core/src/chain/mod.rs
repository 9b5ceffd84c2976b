//! Chain facts and their proofs: headers, merkle proofs, watches, fee rates.
