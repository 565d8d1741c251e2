/** How the reference page looks: calm, by light and by dark, on the page's own fonts. */

export const referenceStyle = `
:root {
  --ink: #1d2733; --soft: #5b6775; --paper: #ffffff; --panel: #f6f8fa; --line: #dfe4ea; --accent: #0b6b61;
  --get: #0b6b61; --post: #2257a8; --put: #8a5a00; --patch: #8a5a00; --delete: #a8322d; --options: #5b6775;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e4e9ef; --soft: #a3afbc; --paper: #14191f; --panel: #1c232b; --line: #2f3944; --accent: #58c4b5;
    --get: #58c4b5; --post: #86b3ff; --put: #e0b25c; --patch: #e0b25c; --delete: #f08c86; --options: #a3afbc;
  }
}
body { background: var(--paper); color: var(--ink); }
.swagger-ui, .swagger-ui .info .title, .swagger-ui .opblock-tag, .swagger-ui .opblock .opblock-section-header h4,
.swagger-ui .opblock .opblock-summary-path, .swagger-ui .opblock .opblock-summary-description, .swagger-ui table thead tr td,
.swagger-ui table thead tr th, .swagger-ui .parameter__name, .swagger-ui .parameter__type, .swagger-ui .response-col_status,
.swagger-ui .response-col_links, .swagger-ui .tab li, .swagger-ui label, .swagger-ui .model, .swagger-ui .model-title,
.swagger-ui section.models h4, .swagger-ui .responses-inner h4, .swagger-ui .responses-inner h5, .swagger-ui p,
.swagger-ui .info p, .swagger-ui .info li, .swagger-ui .opblock-description-wrapper p, .swagger-ui .prop-type,
.swagger-ui .renderedMarkdown p, .swagger-ui .markdown p, .swagger-ui .opblock-title_normal {
  color: var(--ink); font-family: system-ui, -apple-system, 'Segoe UI', sans-serif;
}
.swagger-ui .opblock .opblock-summary-path, .swagger-ui .opblock .opblock-summary-path__deprecated,
.swagger-ui .parameter__name, .swagger-ui code, .swagger-ui .markdown code, .swagger-ui .renderedMarkdown code {
  font-family: ui-monospace, 'SF Mono', Menlo, Consolas, monospace;
}
.swagger-ui .topbar { background: var(--paper); border-bottom: 1px solid var(--line); padding: 10px 0; }
.swagger-ui .topbar .download-url-wrapper { display: none; }
.swagger-ui .wrapper { max-width: 1080px; }
.swagger-ui .info { margin: 32px 0 24px; }
.swagger-ui .info .title { font-size: 30px; font-weight: 650; letter-spacing: -0.01em; }
.swagger-ui .info .title small { background: var(--panel); color: var(--soft); border: 1px solid var(--line); border-radius: 6px; }
.swagger-ui .info .title small pre { color: var(--soft); }
.swagger-ui .info .title small.version-stamp { display: none; }
.swagger-ui .info a, .swagger-ui a.nostyle, .swagger-ui .info .base-url { color: var(--accent); }
.swagger-ui .scheme-container { display: none; }
.swagger-ui .filter .operation-filter-input {
  border: 1px solid var(--line); border-radius: 8px; background: var(--panel); color: var(--ink); margin: 0; padding: 10px 14px; width: 100%;
}
.swagger-ui .opblock-tag { border-bottom: 1px solid var(--line); font-size: 19px; font-weight: 620; padding: 14px 4px; }
.swagger-ui .opblock-tag a.nostyle { color: var(--ink); }
.swagger-ui .opblock-tag:hover { background: var(--panel); }
.swagger-ui .opblock-tag small { color: var(--soft); font-size: 14px; }
.swagger-ui .opblock { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; box-shadow: none; margin: 0 0 6px; }
.swagger-ui .opblock.is-open { background: var(--panel); }
.swagger-ui .opblock .opblock-summary { border: 0; padding: 7px 10px; }
.swagger-ui .opblock.is-open .opblock-summary { border-bottom: 1px solid var(--line); }
.swagger-ui .opblock .opblock-summary-method {
  background: transparent; text-shadow: none; font-size: 12px; font-weight: 700; min-width: 70px; padding: 5px 0; border: 1px solid currentColor; border-radius: 6px;
}
.swagger-ui .opblock .opblock-summary-path { font-size: 14px; font-weight: 560; }
.swagger-ui .opblock .opblock-summary-description { color: var(--soft); font-size: 14px; }
.swagger-ui .opblock .opblock-section-header { background: transparent; box-shadow: none; border-bottom: 1px solid var(--line); }
.swagger-ui .opblock.opblock-get .opblock-summary-method { background: transparent; color: var(--get); }
.swagger-ui .opblock.opblock-post .opblock-summary-method { background: transparent; color: var(--post); }
.swagger-ui .opblock.opblock-put .opblock-summary-method { background: transparent; color: var(--put); }
.swagger-ui .opblock.opblock-patch .opblock-summary-method { background: transparent; color: var(--patch); }
.swagger-ui .opblock.opblock-delete .opblock-summary-method { background: transparent; color: var(--delete); }
.swagger-ui .opblock.opblock-options .opblock-summary-method { background: transparent; color: var(--options); }
.swagger-ui .opblock.opblock-get, .swagger-ui .opblock.opblock-post, .swagger-ui .opblock.opblock-put, .swagger-ui .opblock.opblock-patch,
.swagger-ui .opblock.opblock-delete, .swagger-ui .opblock.opblock-options { background: var(--paper); border-color: var(--line); }
.swagger-ui .opblock .tab-header .tab-item.active h4 span::after { background: var(--accent); }
.swagger-ui .btn { border-radius: 6px; box-shadow: none; color: var(--ink); border-color: var(--line); }
.swagger-ui .btn.execute { background: var(--accent); border-color: var(--accent); color: var(--paper); }
.swagger-ui .parameters-col_description input, .swagger-ui .parameters-col_description select, .swagger-ui textarea, .swagger-ui select,
.swagger-ui input[type='text'] { background: var(--paper); color: var(--ink); border: 1px solid var(--line); border-radius: 6px; box-shadow: none; }
.swagger-ui .parameter__in, .swagger-ui .parameter__deprecated, .swagger-ui .response-control-media-type__accept-message { color: var(--soft); }
.swagger-ui table thead tr td, .swagger-ui table thead tr th { border-bottom: 1px solid var(--line); color: var(--soft); }
.swagger-ui section.models, .swagger-ui section.models.is-open h4 { border-color: var(--line); }
.swagger-ui section.models .model-container, .swagger-ui .model-box { background: var(--panel); }
.swagger-ui svg:not(:root), .swagger-ui .opblock-tag svg, .swagger-ui .opblock-summary-control svg { fill: var(--soft); }
.swagger-ui .opblock-summary-control:focus, .swagger-ui .opblock-tag:focus { outline: 2px solid var(--accent); outline-offset: 1px; }
.swagger-ui .loading-container .loading::after { color: var(--soft); }
`
