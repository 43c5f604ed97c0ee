// What the charts show, as ECharts wants it: no animation, decals beside colours, a description in words. Pure.
import type { EChartsCoreOption } from 'echarts/core'

export interface Series {
  name: string
  values: (number | null)[]
  look: 'bar' | 'line' | 'dashed' | 'steps'
  colour: string
  /** On the axis to the right. */
  right?: boolean
}

export const COLOURS = { now: '#0b4f8a', before: '#8a5300', need: '#6d28d9', came: '#0b5f59' } as const

export function chartOption(times: string[], series: Series[], description: string, show: (value: number) => string, rightName = ''): EChartsCoreOption {
  const axis = { type: 'value', minInterval: 1, axisLabel: { formatter: show, color: '#4a5868' }, splitLine: { lineStyle: { color: '#d6dde5' } } }
  return {
    animation: false,
    aria: { enabled: true, label: { description }, decal: { show: true } },
    grid: { left: 8, right: 8, top: 44, bottom: 8, containLabel: true },
    legend: { top: 4, textStyle: { color: '#18232f', fontSize: 14 } },
    tooltip: { trigger: 'axis', renderMode: 'richText', valueFormatter: (value: unknown) => (typeof value === 'number' ? show(value) : '—') },
    xAxis: { type: 'category', data: times, axisLabel: { color: '#4a5868' } },
    yAxis: rightName ? [axis, { ...axis, name: rightName, splitLine: { show: false } }] : axis,
    series: series.map((one) => ({
      name: one.name,
      type: one.look === 'bar' ? 'bar' : 'line',
      step: one.look === 'steps' ? 'middle' : false,
      data: one.values,
      yAxisIndex: one.right ? 1 : 0,
      itemStyle: { color: one.colour },
      lineStyle: { color: one.colour, width: 2, type: one.look === 'dashed' ? 'dashed' : 'solid' },
      symbol: one.look === 'dashed' ? 'emptyDiamond' : 'circle',
      symbolSize: 6,
    })),
  }
}
