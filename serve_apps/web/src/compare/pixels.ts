/** Pixels of a chart. Curves of very many points are blended here, column by column: much faster than paths are. */

export type Colour = readonly [red: number, green: number, blue: number];

/** Colour that is written as `#rrggbb`. */
export function colourOf(text: string): Colour {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export class Pixels {
  /** Red, green, blue and opacity of each pixel, row by row. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  private readonly bytes: Uint8Array;

  constructor(
    readonly width: number,
    readonly height: number,
    [red, green, blue]: Colour,
  ) {
    this.data = new Uint8ClampedArray(4 * width * height);
    this.bytes = new Uint8Array(this.data.buffer);
    new Uint32Array(this.data.buffer).fill(new Uint32Array(new Uint8Array([red, green, blue, 255]).buffer)[0] ?? 0);
  }

  /** Blend the part of a column between `top` and `bottom`; pixels that it covers in part, in part. */
  blend(column: number, top: number, bottom: number, colour: Colour, opacity: number): void {
    if (column < 0 || column >= this.width) return;
    const above = Math.max(0, top);
    const below = Math.min(this.height, bottom);
    if (!(above < below)) return;
    const first = Math.floor(above);
    const last = Math.ceil(below) - 1;
    if (first === last) {
      this.mix(column, first, first, colour, opacity * (below - above));
      return;
    }
    this.mix(column, first, first, colour, opacity * (first + 1 - above));
    this.mix(column, first + 1, last - 1, colour, opacity);
    this.mix(column, last, last, colour, opacity * (below - last));
  }

  /** Draw a horizontal line, a pixel high. */
  row(top: number, from: number, to: number, colour: Colour): void {
    for (let column = from; column < to; column += 1) this.mix(column, top, top, colour, 1);
  }

  /** Blend whole pixels, in integers of 1/256: much faster than fractions. */
  private mix(column: number, first: number, last: number, colour: Colour, opacity: number): void {
    const bytes = this.bytes;
    const stride = 4 * this.width;
    const part = Math.round(256 * opacity);
    const rest = 256 - part;
    const red = colour[0] * part + 128;
    const green = colour[1] * part + 128;
    const blue = colour[2] * part + 128;
    const end = stride * last + 4 * column;
    for (let at = stride * first + 4 * column; at <= end; at += stride) {
      bytes[at] = ((bytes[at] as number) * rest + red) >> 8;
      bytes[at + 1] = ((bytes[at + 1] as number) * rest + green) >> 8;
      bytes[at + 2] = ((bytes[at + 2] as number) * rest + blue) >> 8;
    }
  }
}
