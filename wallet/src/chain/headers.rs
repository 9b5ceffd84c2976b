//! The headers that the server has and the node has not.

use super::http::{Http, MEDIUM, garbage, missing};
use super::{ChainError, ChainView};
use bitcoin::BlockHash;
use bitcoin::block::Header;
use esplora_client::api::BlockInfo;
use futures::{StreamExt, TryStreamExt};
use kite_core::chain::BlockId;
use kite_core::types::BlockHeight;

/// One page of `/blocks/:height`.
const PAGE: BlockHeight = 10;
/// The most pages in one look; the next look goes on from there.
const PAGES: BlockHeight = 100;
/// How many pages are asked for at once.
const AT_ONCE: usize = 4;

/// Headers on top of a block that the node knows, at most `PAGE * PAGES`; none if the node has them all.
pub(super) async fn newer(http: &Http, view: &ChainView) -> Result<Vec<Header>, ChainError> {
    let newest = page(http, "/blocks").await?;
    // A page is never empty.
    let tip = newest.first().ok_or(ChainError::Changed)?.0;
    if let Some(headers) = on_top_of_known(&newest, view) {
        return Ok(headers);
    }
    let fork = fork(http, view).await?;
    let mut from = fork;
    let mut starts = Vec::new();
    while from.height < tip.height && starts.len() < PAGES as usize {
        let top = from.height.saturating_add(PAGE).min(tip.height);
        starts.push(top);
        from.height = top;
    }
    let pages: Vec<_> = futures::stream::iter(starts)
        .map(|top| async move { page(http, &format!("/blocks/{top}")).await })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let mut headers: Vec<Header> = Vec::new();
    let mut previous = fork;
    for page in pages {
        let above = previous.height;
        for (id, header) in page.iter().rev().filter(|(id, _)| id.height > above) {
            if header.prev_blockhash != previous.hash || id.height != previous.height + 1 {
                return Err(ChainError::Changed);
            }
            headers.push(*header);
            previous = *id;
        }
    }
    Ok(headers)
}

/// The usual case: the page reaches down to a block that the node has.
fn on_top_of_known(page: &[(BlockId, Header)], view: &ChainView) -> Option<Vec<Header>> {
    let mut headers = Vec::new();
    for (id, header) in page {
        if view.knows(&id.hash).is_some() {
            return Some(headers.into_iter().rev().collect());
        }
        headers.push(*header);
    }
    let lowest = headers.last()?;
    view.knows(&lowest.prev_blockhash)?;
    Some(headers.into_iter().rev().collect())
}

/// The highest block of the view that the server has as well.
async fn fork(http: &Http, view: &ChainView) -> Result<BlockId, ChainError> {
    for block in &view.known {
        let there: Option<BlockHash> = http.text(&format!("/block-height/{}", block.height)).await?;
        if there == Some(block.hash) {
            return Ok(*block);
        }
    }
    Err(ChainError::OtherNetwork)
}

/// Blocks from the highest down, each the parent of the one before it.
async fn page(http: &Http, path: &str) -> Result<Vec<(BlockId, Header)>, ChainError> {
    let infos: Vec<BlockInfo> = http.json(path, MEDIUM).await?.ok_or_else(|| missing(path))?;
    let mut blocks: Vec<(BlockId, Header)> = Vec::with_capacity(infos.len());
    for info in infos {
        let id = BlockId { height: info.height, hash: info.id };
        let header = header(&info).ok_or_else(|| garbage(path, "a block without a header"))?;
        if header.block_hash() != id.hash {
            return Err(garbage(path, format_args!("block {} has another hash", id.hash)));
        }
        if let Some((above, child)) = blocks.last()
            && (child.prev_blockhash != id.hash || above.height.checked_sub(1) != Some(id.height))
        {
            return Err(garbage(path, format_args!("block {} is not the parent of the one before", id.hash)));
        }
        blocks.push((id, header));
    }
    if blocks.is_empty() {
        return Err(garbage(path, "no blocks"));
    }
    Ok(blocks)
}

fn header(info: &BlockInfo) -> Option<Header> {
    use bitcoin::hashes::Hash;
    let prev_blockhash = match info.previousblockhash {
        Some(hash) => hash,
        None if info.height == 0 => BlockHash::all_zeros(),
        None => return None,
    };
    Some(Header {
        version: info.version,
        prev_blockhash,
        merkle_root: info.merkle_root,
        time: u32::try_from(info.timestamp).ok()?,
        bits: info.bits,
        nonce: info.nonce,
    })
}
