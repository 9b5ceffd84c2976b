//! Which channels a node has, as two flat arrays.

use super::graph::Channel;

/// For node `n`, its channels are `channels[starts[n]..starts[n + 1]]`.
#[derive(Clone)]
pub(super) struct Adjacency {
    starts: Vec<u32>,
    channels: Vec<u32>,
}

impl Adjacency {
    pub(super) fn new(nodes: usize, channels: &[Channel]) -> Self {
        let mut starts = vec![0u32; nodes + 1];
        for node in channels.iter().flat_map(|channel| channel.nodes) {
            starts[node as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut ends = vec![0u32; channels.len() * 2];
        for (index, channel) in (0u32..).zip(channels) {
            for node in channel.nodes {
                let place = &mut next[node as usize];
                ends[*place as usize] = index;
                *place += 1;
            }
        }
        Self { starts, channels: ends }
    }

    pub(super) fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        match (self.starts.get(node), self.starts.get(node + 1)) {
            (Some(start), Some(end)) => &self.channels[*start as usize..*end as usize],
            _ => &[],
        }
    }
}
