/** A longer list is given back to the collector when it is taken. */
const keptMax = 1 << 20;
const idsMin = 1 << 12;

/** Ids of a text as they are made; the array grows with the longest text. */
export class IdList {
  ids = new Int32Array(idsMin);
  count = 0;

  push(id: number): void {
    this.reserve(1);
    this.ids[this.count++] = id;
  }

  reserve(more: number): void {
    const wanted = this.count + more;
    if (wanted <= this.ids.length) return;
    const grown = new Int32Array(Math.max(wanted, this.ids.length * 2));
    grown.set(this.ids.subarray(0, this.count));
    this.ids = grown;
  }

  /** The ids added since the last call. */
  take(): Int32Array {
    const taken = this.ids.slice(0, this.count);
    this.count = 0;
    if (this.ids.length > keptMax) this.ids = new Int32Array(idsMin);
    return taken;
  }
}
