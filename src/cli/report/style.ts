/** The report's style sheet: one column on a phone, and no page breaks within figures and rows. */
export const style = `
:root { color-scheme: light; font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; }
body { max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid #ccc; }
p { margin: 0 0 0.5rem; color: #555; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); gap: 0.1rem 2rem; margin: 0; }
dl div { display: flex; gap: 1rem; border-bottom: 1px solid #eee; }
dt { flex: 0 0 9.5rem; color: #555; }
dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem; }
figure { margin: 0; break-inside: avoid; }
.charts figure { max-width: 30rem; }
figcaption { font-size: 0.85rem; color: #555; }
svg { width: 100%; height: auto; display: block; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.5rem; text-align: left; vertical-align: top; border-bottom: 1px solid #eee; }
th { font-weight: 600; }
tr { break-inside: avoid; }
.number { text-align: right; white-space: nowrap; }
.dispatches tbody td:nth-child(-n + 2) { min-width: 13rem; }
.confusion th, .confusion td { text-align: center; border: 1px solid #ddd; min-width: 1.6rem; padding: 0.2rem 0.3rem; }
.confusion thead tr:first-child > *, .confusion .share, .confusion tfoot td { border: 0; }
.confusion .right { font-weight: 600; background: #e3eef5; }
.confusion .share, .confusion tfoot td { color: #555; font-size: 0.75rem; white-space: nowrap; }
.confusion td, .images img { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.images { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: 0.75rem; }
.images img { width: 100%; max-width: 7rem; height: auto; image-rendering: pixelated; display: block; border: 1px solid #ddd; box-sizing: border-box; }
.samples { display: grid; gap: 0.75rem; }
.samples pre { margin: 0; padding: 0.4rem 0.6rem; background: #f5f5f5; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.85rem; }
.weights { grid-template-columns: repeat(auto-fill, minmax(3.6rem, 1fr)); gap: 0.3rem; }
footer { margin: 2rem 0; color: #777; font-size: 0.85rem; }
@media print {
  @page { margin: 15mm; }
  :root { font-size: 10pt; }
  body { padding: 0; max-width: none; }
  h2 { break-after: avoid; }
  .wide { overflow: visible; }
  .dispatches tbody td:nth-child(-n + 2) { min-width: 0; }
  .charts { grid-template-columns: 1fr 1fr; }
  .images { grid-template-columns: repeat(6, 1fr); }
  .weights { grid-template-columns: repeat(16, 1fr); }
}
`;
