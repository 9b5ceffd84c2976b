//! Invoices (BOLT 11).
