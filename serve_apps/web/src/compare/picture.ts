/** A drawn chart as a file. */

/** Pixels of a PNG for each of the page: sharp in print and on dense screens. */
const DENSITY = 2;

export function svgOf(picture: SVGSVGElement): Blob {
  return new Blob([new XMLSerializer().serializeToString(picture)], { type: "image/svg+xml" });
}

export async function pngOf(picture: SVGSVGElement): Promise<Blob> {
  const url = URL.createObjectURL(svgOf(picture));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = picture.width.baseVal.value * DENSITY;
    canvas.height = picture.height.baseVal.value * DENSITY;
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser made no PNG.")))),
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}
