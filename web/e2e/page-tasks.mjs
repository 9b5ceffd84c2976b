// How long the page itself is busy at a time: nothing can be pressed or drawn meanwhile.

/** Begins to note the page's long tasks: those of 50 ms and more, by the browser's own count. */
export function watchTasks(page) {
  return page.evaluate(() => {
    globalThis.kiteTasks = [];
    new PerformanceObserver((list) => globalThis.kiteTasks.push(...list.getEntries().map((task) => task.duration))).observe({ type: 'longtask' });
  });
}

/** The longest task since this was last asked, in milliseconds; 0 where none was long. */
export function longestTask(page) {
  return page.evaluate(() => Math.max(0, ...globalThis.kiteTasks.splice(0)));
}
