// A dashboard as Grafana lays it out: rows, and panels of its own components in a grid of 24 columns. `draw.mjs` puts what
// is shown into window.board.
import { createTheme, dateTime, FieldColorModeId, FieldType, getDisplayProcessor, ThemeContext } from '@grafana/data';
import { GraphDrawStyle, LegendDisplayMode, LineInterpolation, VisibilityMode } from '@grafana/schema';
import { GlobalStyles, PanelChrome, TimeSeries } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import 'uplot/dist/uPlot.min.css';

const theme = createTheme({ colors: { mode: 'light' } });
const cell = { width: 60, height: 30, gap: 8 };
const board = window.board;
const range = { from: dateTime(board.from), to: dateTime(board.to) };
const timeRange = { ...range, raw: range };

/** A panel's series as the frames that Grafana's panels take. */
function frames(panel) {
  return panel.series.map((series, n) => {
    const state = { seriesIndex: n, displayName: series.name || ' ' };
    const config = {
      unit: panel.unit,
      min: 0,
      displayNameFromDS: series.name || ' ',
      color: { mode: FieldColorModeId.PaletteClassic },
      custom: {
        drawStyle: GraphDrawStyle.Line,
        lineInterpolation: LineInterpolation.Linear,
        lineWidth: 1,
        fillOpacity: 8,
        showPoints: VisibilityMode.Never,
        spanNulls: false,
      },
    };
    const time = { name: 'time', type: FieldType.time, config: {}, values: series.times };
    const value = { name: series.name, type: FieldType.number, config, state, values: series.values };
    value.display = getDisplayProcessor({ field: value, theme });
    time.display = getDisplayProcessor({ field: time, theme });
    return { refId: String(n), length: series.times.length, fields: [time, value] };
  });
}

function Panel({ panel, width, height }) {
  return (
    <PanelChrome title={panel.title} width={width} height={height}>
      {(innerWidth, innerHeight) =>
        panel.series.length === 0 ? (
          <div style={{ height: innerHeight, display: 'grid', placeItems: 'center', color: theme.colors.text.secondary }}>No data</div>
        ) : (
          <TimeSeries
            frames={frames(panel)}
            width={innerWidth}
            height={innerHeight}
            timeRange={timeRange}
            timeZone="utc"
            legend={{ showLegend: true, displayMode: LegendDisplayMode.List, placement: 'bottom', calcs: [] }}
          />
        )
      }
    </PanelChrome>
  );
}

function place({ x, y, w, h }) {
  return {
    position: 'absolute',
    left: x * cell.width,
    top: y * (cell.height + cell.gap),
    width: w * cell.width - cell.gap,
    height: h * (cell.height + cell.gap) - cell.gap,
  };
}

function Board() {
  const bottom = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div style={{ padding: 16, background: theme.colors.background.canvas, width: 24 * cell.width + 24 }}>
        <h3>{board.title}</h3>
        <div style={{ position: 'relative', height: bottom * (cell.height + cell.gap) }}>
          {board.panels.map((panel, n) => {
            const at = place(panel.gridPos);
            return (
              <div key={n} style={at}>
                {panel.row ? <h5>{panel.title}</h5> : <Panel panel={panel} width={at.width} height={at.height} />}
              </div>
            );
          })}
        </div>
      </div>
    </ThemeContext.Provider>
  );
}

createRoot(document.getElementById('root')).render(<Board />);
