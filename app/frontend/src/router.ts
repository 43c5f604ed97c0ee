// Addresses of the pages. Each page is its own chunk, so that the desk opens without the back office.
import { createRouter, createWebHistory } from 'vue-router'
import type { RouteRecordRaw } from 'vue-router'
import { askDemo, askWho, asked, home, may, mayOpen, me } from './session/session'
import type { Area } from './session/session'
import type { Key } from './i18n'
import { STAGES, seesDrafts } from './chasing/stages'
import { BOARDS } from './loop/types'
import { boxes } from './quality/boxes'
import { BOXES } from './quality/types'

declare module 'vue-router' {
  interface RouteMeta {
    title?: Key
    area?: Area
    open?: boolean
    bare?: boolean
    /** For citizens: nobody is asked who they are. */
    public?: boolean
  }
}

/** Where this address leads depends on the person. Not a redirect: those are followed before anybody has asked who is signed in. */
const byPerson = (path: string, where: () => string): RouteRecordRaw => ({ path, component: () => import('./ui/NotFoundPage.vue'), beforeEnter: where })

const routes: RouteRecordRaw[] = [
  { path: '/', redirect: () => home.value },
  { path: '/login', component: () => import('./session/LoginPage.vue'), meta: { title: 'login.title', open: true, bare: true } },
  { path: '/progress', component: () => import('./progress/ProgressPage.vue'), meta: { title: 'progress.title', open: true, bare: true, public: true } },
  { path: '/password', component: () => import('./session/PasswordPage.vue'), meta: { title: 'login.change', bare: true } },
  { path: '/agent', component: () => import('./agent/AgentPage.vue'), meta: { title: 'agent.title' } },
  { path: '/wallboard', component: () => import('./wallboard/WallboardPage.vue'), meta: { title: 'board.title', area: 'wallboard' } },
  { path: '/room', component: () => import('./room/FloorPage.vue'), meta: { title: 'room.title', area: 'room' } },
  { path: '/room/alerts', component: () => import('./room/AlertsPage.vue'), meta: { title: 'room.alerts', area: 'room' } },
  { path: '/room/rules', component: () => import('./room/RulesPage.vue'), meta: { title: 'room.rules', area: 'room' } },
  { path: '/room/figures', component: () => import('./room/FiguresPage.vue'), meta: { title: 'room.figures', area: 'room' } },
  { path: '/room/staffing', component: () => import('./room/StaffingPage.vue'), meta: { title: 'room.staffing', area: 'room' } },
  { path: '/cases', component: () => import('./office/CasesPage.vue'), meta: { title: 'cases.title', area: 'cases' } },
  { path: '/cases/import', component: () => import('./office/CaseImportPage.vue'), meta: { title: 'caseImport.title', area: 'cases' } },
  { path: '/cases/:id', component: () => import('./office/CasePage.vue'), meta: { title: 'cases.title', area: 'cases' } },
  byPerson('/boards', () => (may('cases.dispatch') ? '/boards/dispatch' : '/boards/under_way')),
  ...BOARDS.map(
    (which): RouteRecordRaw => ({ path: `/boards/${which}`, component: () => import('./loop/BoardsPage.vue'), props: { which }, meta: { title: `boards.${which}`, area: 'boards' } }),
  ),
  { path: '/follow-up/:id?', component: () => import('./loop/FollowUpPage.vue'), meta: { title: 'followUp.title', area: 'followUp' } },
  { path: '/notices', component: () => import('./notices/NoticesPage.vue'), meta: { title: 'notices.title' } },
  byPerson('/chases', () => (seesDrafts() ? '/chases/drafts' : '/chases/first')),
  ...STAGES.map(
    (stage): RouteRecordRaw => ({ path: `/chases/${stage}`, component: () => import('./chasing/ChasesPage.vue'), props: { stage }, meta: { title: `chases.stage.${stage}`, area: 'chases' } }),
  ),
  { path: '/chases/units', component: () => import('./chasing/ByUnitPage.vue'), meta: { title: 'chases.stage.units', area: 'chases' } },
  { path: '/extensions', component: () => import('./chasing/ExtensionsPage.vue'), meta: { title: 'extensions.title', area: 'extensions' } },
  { path: '/urgent', component: () => import('./chasing/UrgentPage.vue'), meta: { title: 'urgent.title', area: 'urgent' } },
  { path: '/calls', component: () => import('./office/CallsPage.vue'), meta: { title: 'calls.title', area: 'calls' } },
  { path: '/calls/:id', component: () => import('./office/CallPage.vue'), meta: { title: 'calls.detail', area: 'calls' } },
  { path: '/recordings/search', component: () => import('./recordings/SearchPage.vue'), meta: { title: 'transcript.search', area: 'recordings' } },
  byPerson('/quality', () => `/quality/${boxes()[0] ?? 'own'}`),
  ...BOXES.map((box): RouteRecordRaw => ({ path: `/quality/${box}`, component: () => import('./quality/ReviewsPage.vue'), props: { box }, meta: { title: `quality.box.${box}`, area: 'quality' } })),
  { path: '/quality/reviews/:id', component: () => import('./quality/ReviewPage.vue'), meta: { title: 'quality.title', area: 'quality' } },
  { path: '/quality/criteria', component: () => import('./quality/CriteriaPage.vue'), meta: { title: 'edition.criteria', area: 'qualityRules' } },
  { path: '/quality/sampling', component: () => import('./quality/SamplingPage.vue'), meta: { title: 'edition.sampling', area: 'qualityRules' } },
  { path: '/quality/phrases', component: () => import('./quality/PhrasesPage.vue'), meta: { title: 'edition.phrases', area: 'qualityRules' } },
  { path: '/quality/findings', component: () => import('./quality/FindingsPage.vue'), meta: { title: 'phrases.findings', area: 'qualityRules' } },
  { path: '/quality/quarters', component: () => import('./quality/QuartersPage.vue'), meta: { title: 'quality.quarters', area: 'assess' } },
  byPerson('/number-audits', () => (may('number_audits.read') ? '/number-audits/rounds' : '/number-audits/own')),
  { path: '/number-audits/rounds', component: () => import('./audits/RoundsPage.vue'), meta: { title: 'audits.rounds', area: 'audits' } },
  { path: '/number-audits/rounds/:id', component: () => import('./audits/RoundPage.vue'), meta: { title: 'audits.title', area: 'audits' } },
  { path: '/number-audits/numbers/:id', component: () => import('./audits/TargetPage.vue'), meta: { title: 'audits.title', area: 'audits' } },
  { path: '/number-audits/register', component: () => import('./audits/RegisterPage.vue'), meta: { title: 'audits.register', area: 'audits' } },
  { path: '/number-audits/own', component: () => import('./audits/OwnPage.vue'), meta: { title: 'audits.own', area: 'audits' } },
  { path: '/voicemails', component: () => import('./office/VoicemailsPage.vue'), meta: { title: 'voicemails.title', area: 'voicemails' } },
  { path: '/faxes', component: () => import('./office/FaxesPage.vue'), meta: { title: 'faxes.title', area: 'faxes' } },
  { path: '/callbacks', component: () => import('./office/CallbacksPage.vue'), meta: { title: 'callbacks.title', area: 'callbacks' } },
  { path: '/campaigns', component: () => import('./campaigns/CampaignsPage.vue'), meta: { title: 'campaigns.title', area: 'campaigns' } },
  { path: '/campaigns/:id', component: () => import('./campaigns/CampaignPage.vue'), meta: { title: 'campaigns.title', area: 'campaigns' } },
  { path: '/contact-wishes', component: () => import('./campaigns/WishesPage.vue'), meta: { title: 'wishes.title', area: 'wishes' } },
  { path: '/announcements', component: () => import('./office/AnnouncementsPage.vue'), meta: { title: 'announcements.title', area: 'announcements' } },
  { path: '/knowledge', redirect: '/knowledge/search' },
  { path: '/knowledge/search', component: () => import('./knowledge/SearchPage.vue'), meta: { title: 'knowledge.search', area: 'knowledge' } },
  { path: '/knowledge/gaps', component: () => import('./knowledge/GapsPage.vue'), meta: { title: 'knowledge.gaps', area: 'knowledge' } },
  { path: '/knowledge/new', component: () => import('./knowledge/EditPage.vue'), meta: { title: 'knowledge.new', area: 'knowledge' } },
  { path: '/knowledge/articles/:id', component: () => import('./knowledge/ArticlePage.vue'), meta: { title: 'knowledge.title', area: 'knowledge' } },
  { path: '/knowledge/articles/:id/edit', component: () => import('./knowledge/EditPage.vue'), meta: { title: 'knowledge.edit', area: 'knowledge' } },
  { path: '/knowledge/templates', component: () => import('./knowledge/TemplatesPage.vue'), meta: { title: 'templates.title', area: 'knowledge' } },
  { path: '/knowledge/templates/new', component: () => import('./knowledge/TemplatePage.vue'), meta: { title: 'templates.new', area: 'knowledge' } },
  { path: '/knowledge/templates/:id', component: () => import('./knowledge/TemplatePage.vue'), meta: { title: 'templates.one', area: 'knowledge' } },
  ...(['own', 'units', 'vet', 'review', 'due', 'drafts', 'published', 'withdrawn'] as const).map(
    (view): RouteRecordRaw => ({ path: `/knowledge/${view}`, component: () => import('./knowledge/ListPage.vue'), props: { view }, meta: { title: `knowledge.view.${view}`, area: 'knowledge' } }),
  ),
  { path: '/roster', component: () => import('./roster/RosterPage.vue'), meta: { title: 'roster.title', area: 'roster' } },
  { path: '/rules', redirect: '/rules/queues' },
  { path: '/rules/queues', component: () => import('./rules/QueueRulesPage.vue'), meta: { title: 'rules.queues', area: 'rules' } },
  { path: '/rules/menu', component: () => import('./flows/FlowPage.vue'), meta: { title: 'flow.title', area: 'flows' } },
  { path: '/rules/nuisance', component: () => import('./rules/NuisancePage.vue'), meta: { title: 'rules.nuisance', area: 'rules' } },
  { path: '/units/:id?', component: () => import('./units/UnitsPage.vue'), meta: { title: 'units.title', area: 'units' } },
  { path: '/rules/workdays', component: () => import('./rules/WorkdaysPage.vue'), meta: { title: 'rules.workdays', area: 'rules' } },
  { path: '/rules/clocks', component: () => import('./rules/ClockRulesPage.vue'), meta: { title: 'rules.clocks', area: 'rules' } },
  byPerson('/work', () => (may('work.lead') ? '/work/to_approve' : '/work/to_sign')),
  { path: '/work/:box', component: () => import('./work/InboxPage.vue'), meta: { title: 'work.title', area: 'work' } },
  // Whoever judges a unit's work reads it too: the server decides by itself who that is.
  { path: '/work/assignments/:id', component: () => import('./work/AssignmentPage.vue'), meta: { title: 'work.one' } },
  byPerson('/admin', () => (mayOpen('admin') ? '/admin/agents' : '/admin/audit')),
  { path: '/admin/agents', component: () => import('./office/AgentsPage.vue'), meta: { title: 'admin.agents', area: 'admin' } },
  { path: '/admin/users', component: () => import('./office/UsersPage.vue'), meta: { title: 'admin.users', area: 'admin' } },
  { path: '/admin/audit', component: () => import('./office/AuditPage.vue'), meta: { title: 'admin.audit', area: 'audit' } },
  { path: '/admin/systems', component: () => import('./outside/SystemsPage.vue'), meta: { title: 'systems.title', area: 'admin' } },
  { path: '/admin/pushes', component: () => import('./outside/PushesPage.vue'), meta: { title: 'pushes.title', area: 'admin' } },
  { path: '/admin/state', component: () => import('./outside/StatePage.vue'), meta: { title: 'state.title', area: 'state' } },
  { path: '/demo', component: () => import('./demo/DemoPage.vue'), meta: { title: 'nav.demo' } },
  { path: '/:rest(.*)*', component: () => import('./ui/NotFoundPage.vue'), meta: { title: 'app.notFound', open: true } },
]

export const router = createRouter({
  history: createWebHistory(),
  routes,
  scrollBehavior: (_to, _from, kept) => kept ?? { top: 0 },
})

router.beforeEach(async (to) => {
  if (to.meta.public) return true
  if (!asked.value) {
    // An unreachable server is told by the page that asks next; the login page can retry.
    await askWho().catch(() => undefined)
    if (me.value) void askDemo()
  }
  if (to.meta.open) return me.value && to.path === '/login' ? home.value : true
  if (!me.value) return { path: '/login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  if (me.value.user.must_change_password && to.path !== '/password') return '/password'
  return true
})
