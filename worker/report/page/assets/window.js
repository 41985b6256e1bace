// Which rows are near the screen, where all are equally high but for the opened ones. Numbers alone.

class Heights {
  constructor(order, height, opened) {
    this.order = order;
    this.height = height;
    this.extra = []; // [place, extra height], ascending
    if (opened.size) {
      order.forEach((at, where) => {
        if (opened.has(at)) this.extra.push([where, opened.get(at)]);
      });
    }
  }

  top(where) {
    let y = where * this.height;
    for (const [opened, extra] of this.extra) {
      if (opened >= where) break;
      y += extra;
    }
    return y;
  }

  // The row at y, from 0 to the number of rows.
  rowAt(y) {
    let above = 0;
    for (const [opened, extra] of this.extra) {
      const until = (opened + 1) * this.height + above;
      if (y < until) break;
      if (y < until + extra) return opened;
      above += extra;
    }
    return Math.min(Math.max(0, Math.floor((y - above) / this.height)), this.order.length);
  }
}
